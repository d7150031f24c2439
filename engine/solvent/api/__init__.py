"""Names and decimals in, commands out, views back. The only package that meets a kernel."""
