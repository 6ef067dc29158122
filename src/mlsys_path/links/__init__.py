"""Which addresses still lead somewhere: asked politely, each verdict kept as it comes."""
