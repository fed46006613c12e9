"""The drawing itself: motifs, scenes and styles, put on a canvas with a pen."""
