"""Google's Gemini API, v1beta."""
