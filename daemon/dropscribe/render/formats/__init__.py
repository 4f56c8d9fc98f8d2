"""What a transcript can be written as: one module a format, each with `render(Edition)`."""
