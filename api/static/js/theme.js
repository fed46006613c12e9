// Runs before the first paint, as a classic script: the page never flashes in the other theme.
(function () {
  let choice = "system";
  try {
    choice = JSON.parse(localStorage.getItem("easel.theme") || '"system"');
  } catch (error) {
    choice = "system"; // storage switched off or not ours
  }
  document.documentElement.dataset.theme = ["dark", "light"].includes(choice) ? choice : "system";
})();
