"""Archives built by the format's own packagers, never by our idea of the format."""
