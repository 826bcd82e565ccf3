// The page.

if (typeof document !== "undefined") {
  const model = JSON.parse(document.getElementById("model").textContent);
  document.getElementById("description").textContent = model.description;
}
