"""The services we do not own: small Protocols (`ports`) and one adapter per vendor API."""
