"""The dialect of OKX V5 (November 2026): codes, parsers, serializers, routes, channels. No file here touches a socket."""
