// Stands in for the page: a test that reads fields imports this first. test_units.py brings the rows as they are.
const text = process.env.FIELDS ?? "[]";
globalThis.document = { addEventListener: () => {}, querySelector: () => ({ content: text }) };
