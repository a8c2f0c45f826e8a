import { environment, interpreter, run } from "../support/python_package.ts";

/** The oldest and the newest that the package names, each with the Python of its time. */
const ENVIRONMENTS = {
  oldest: {
    version: "3.10",
    packages: [
      "numpy==1.24.4",
      "pyarrow==16.0.0",
      "pandas==2.0.3",
      "polars==1.0.0",
      "plotly==5.24.1",
      "xarray==2024.1.0",
    ],
  },
  newest: {
    version: "3.13",
    packages: [
      "numpy==2.4.6",
      "pyarrow==26.0.1",
      "pandas==3.0.6",
      "polars==2.1.0",
      "plotly==7.1.0",
      "xarray==2026.9.0",
      "datasets==5.2.0",
    ],
  },
};
const BESIDE = ["deno==2.9.8", "tqdm==4.67.1"];

for (const [name, { version, packages }] of Object.entries(ENVIRONMENTS)) {
  Deno.test(`the Python package works with the ${name} packages and Python ${version}, from an empty environment`, async () => {
    const base = await interpreter(version);
    if (!base) console.log(`no Python ${version} is on this machine: its python3 is taken`);
    const python = await environment(name, [...packages, ...BESIDE], base);
    await run(python, ["-W", "error::ResourceWarning", "clients/python/tests/test_infoflow.py"], {
      INFOFLOW_MODEL: "",
      INFOFLOW_URL: "",
      XDG_RUNTIME_DIR: "/tmp",
    });
  });
}
