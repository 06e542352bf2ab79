// The reference of the API: Swagger UI over this tenant's document, signed in as the browser is.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";
import "swagger-ui-dist/swagger-ui.css";
import "./reference.css";

const place = document.getElementById("reference");
const token = document.querySelector("meta[name=csrf-token]")?.content;

SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  docExpansion: "none",
  defaultModelsExpandDepth: -1,
  filter: true,
  validatorUrl: null,
  requestInterceptor(request) {
    const reads = ["GET", "HEAD"].includes((request.method || "GET").toUpperCase());
    if (token && !reads) request.headers["X-CSRFToken"] = token;
    return request;
  },
});
