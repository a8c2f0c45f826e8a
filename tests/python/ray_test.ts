import { environment, run } from "../support/python_package.ts";

const PACKAGES = ["ray[data]==2.60.0", "pyarrow==26.0.1", "numpy==2.4.6", "deno==2.9.8"];

Deno.test("infoflow.ray: two actors on this machine, a server, an actor and the driver are killed, every row is there once", async () => {
  const python = await environment("ray", PACKAGES);
  await run(python, ["clients/python/tests/test_ray.py"], {
    RAY_USAGE_STATS_ENABLED: "0",
    INFOFLOW_URL: "",
    INFOFLOW_MODEL: "",
    XDG_RUNTIME_DIR: "/tmp",
  });
});
