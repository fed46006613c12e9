"""The studio's pure modules, tested by Node.js itself: each `*.test.js` here runs as one test of the suite."""
