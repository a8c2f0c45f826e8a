// Networks as people have them: a certificate of their own, names that nobody knows, mirrors that state little.
import assert from "node:assert/strict";
import { HubClient } from "../../src/checkpoints/hub/client.ts";
import { readHubEnvironment } from "../../src/checkpoints/hub/environment.ts";
import { FIXTURES } from "../support/fixtures.ts";
import { REPOSITORY, withHub } from "../support/hub_model.ts";

const TLS = new URL("tls/", FIXTURES);

/** A client whose environment has some variables, and what it waited and said. */
async function clientOf(
  variables: Record<string, string>,
): Promise<{ client: HubClient; waits: number[] }> {
  const waits: number[] = [];
  const environment = await readHubEnvironment((name) =>
    variables[name] ?? (name === "HF_HOME" ? "/nowhere" : undefined)
  );
  const wait = (ms: number): Promise<void> => Promise.resolve(void waits.push(ms));
  return { client: new HubClient(environment, { wait }), waits };
}

Deno.test("a certificate that is not trusted is reported at once; Python's certificate files are read", async () => {
  const [cert, key] = await Promise.all(
    ["server.pem", "server.key"].map((name) => Deno.readTextFile(new URL(name, TLS))),
  );
  await using server = Deno.serve(
    { hostname: "localhost", port: 0, cert: cert!, key: key!, onListen: () => {} },
    () => Response.json({ name: "toy" }),
  );
  const HF_ENDPOINT = `https://localhost:${(server.addr as Deno.NetAddr).port}`;
  const { client, waits } = await clientOf({ HF_ENDPOINT });
  await assert.rejects(() => client.json("/api", "ann/toy"), {
    name: "HubError",
    message: /Cannot trust localhost.* DENO_CERT, SSL_CERT_FILE or REQUESTS_CA_BUNDLE/,
  });
  assert.deepEqual(waits, []);
  const file = new URL("ca.pem", TLS).pathname;
  for (const name of ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]) {
    const { client } = await clientOf({ HF_ENDPOINT, [name]: file });
    assert.deepEqual(await client.json("/api", "ann/toy"), { name: "toy" });
  }
  await assert.rejects(() => clientOf({ HF_ENDPOINT, SSL_CERT_FILE: "/nowhere.pem" }), {
    message: /Cannot read SSL_CERT_FILE .*: current value is \/nowhere\.pem/,
  });
});

Deno.test("an unknown host is reported at once", async () => {
  const { client, waits } = await clientOf({ HF_ENDPOINT: "https://nowhere.invalid" });
  await assert.rejects(() => client.json("/api", "ann/toy"), {
    name: "HubError",
    message: /Cannot find nowhere\.invalid .*HF_ENDPOINT/,
  });
  assert.deepEqual(waits, []);
});

Deno.test("a mirror that states no sizes and hashes in its list is read by the headers of the files", () =>
  withHub(async ({ hub, commit, download }) => {
    const withNamesOnly = async (response: Promise<Response>): Promise<Response> => {
      const { sha, siblings } = await (await response).json() as {
        sha: string;
        siblings: { rfilename: string }[];
      };
      return Response.json({ sha, siblings: siblings.map(({ rfilename }) => ({ rfilename })) });
    };
    hub.faults.push(({ path }, normal) =>
      path.startsWith("/api/") ? withNamesOnly(normal()) : undefined
    );
    const { directory } = await download();
    const heads = hub.seen.filter(({ method }) => method === "HEAD").map(({ path }) => path);
    assert.deepEqual(heads.sort(), [
      `/${REPOSITORY}/resolve/${commit}/config.json`,
      `/${REPOSITORY}/resolve/${commit}/model.safetensors`,
    ]);
    for (const name of ["config.json", "model.safetensors"]) {
      const hash = hub.hashOf(REPOSITORY, commit, name);
      assert.equal(await Deno.readLink(`${directory}/${name}`), `../../blobs/${hash}`);
    }
  }));
