// An MLflow server as far as the page asks one; a version is pulled from a real one in mlflow.test.js.
import { createServer } from "node:http";

export async function fakeMlflow() {
  const server = createServer((request, response) => {
    const said = request.url?.includes("version") && !request.url.includes("api") ? "3.1.0" : JSON.stringify({ registered_models: [{ name: "lab-heartbeat", description: "From the lab", aliases: [{ alias: "champion", version: "3" }], latest_versions: [] }] });
    response.end(said);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", () => ready(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { address: `http://127.0.0.1:${port}`, close };
}
