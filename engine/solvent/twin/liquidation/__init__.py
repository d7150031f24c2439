"""The liquidation floor: step-down, takeover, unwinding and ADL below a threshold."""
