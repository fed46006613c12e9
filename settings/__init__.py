"""All settings in groups: each part of Easel receives its group as it is. How they are read is `settings.reading`."""
