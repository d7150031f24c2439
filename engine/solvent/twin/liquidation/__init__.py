"""What happens below a threshold: step down, take over, work off, deleverage."""
