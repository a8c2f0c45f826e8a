import { environment, run } from "../support/python_package.ts";

/** What the package names as the oldest, and what is newest, that this machine's Python can have. */
const ENVIRONMENTS = {
  oldest: [
    "numpy==1.24.4",
    "pyarrow==16.0.0",
    "pandas==2.0.3",
    "polars==1.0.0",
    "plotly==5.24.1",
    "xarray==2024.1.0",
  ],
  newest: [
    "numpy==2.4.0",
    "pyarrow==26.0.1",
    "pandas==3.0.6",
    "polars==2.1.0",
    "plotly==7.1.0",
    "xarray==2024.11.0",
  ],
};
const BESIDE = ["deno==2.9.8", "tqdm==4.67.1"];

for (const [name, packages] of Object.entries(ENVIRONMENTS)) {
  Deno.test(`the Python package works with the ${name} packages, from an empty environment`, async () => {
    const python = await environment(name, [...packages, ...BESIDE]);
    await run(python, ["-W", "error::ResourceWarning", "clients/python/tests/test_infoflow.py"], {
      INFOFLOW_MODEL: "",
      INFOFLOW_URL: "",
      XDG_RUNTIME_DIR: "/tmp",
    });
  });
}
