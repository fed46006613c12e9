// Runs before the first paint, as a classic script: the page never flashes in the other theme.
(() => {
  let choice = "dark";
  try {
    choice = JSON.parse(localStorage.getItem("easel.theme") || '"dark"');
  } catch {
    choice = "dark"; // storage switched off or not ours
  }
  document.documentElement.dataset.theme = ["system", "light"].includes(choice) ? choice : "dark";
})();
