// The box that takes a file: all of it can be dropped on, and it says which file was chosen.
document.addEventListener("change", (event) => {
  const name = event.target.matches?.(".t-import-drop input") && event.target.closest(".t-import-drop").querySelector("[data-file]");
  if (name && event.target.files.length) name.textContent = event.target.files[0].name;
});
