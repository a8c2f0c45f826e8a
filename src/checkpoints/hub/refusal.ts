import { HubError } from "./error.ts";

/** The details for an error's text. */
export interface Refused {
  readonly repository: string;
  readonly endpoint: string;
  readonly host: string;
  readonly hasToken: boolean;
}

/** The error for an answer that a second attempt would not change. */
export function refusal(
  response: Response,
  { repository, endpoint, host, hasToken }: Refused,
): HubError {
  const { status } = response;
  const code = response.headers.get("x-error-code") ?? "";
  const say = (reason: string): HubError =>
    new HubError(`Cannot read ${repository} as ${reason}`, status);
  const signIn = hasToken
    ? "HF_TOKEN is not accepted there"
    : "it is private, or does not exist: if it is yours, set HF_TOKEN";
  if (code === "GatedRepo") {
    const page = `${endpoint}/${repository}`;
    if (status === 401) {
      return say(`it is gated: accept its conditions at ${page}, then set HF_TOKEN`);
    }
    return say(`it is gated: accept its conditions at ${page} with the account of HF_TOKEN`);
  }
  if (status === 401) return say(signIn);
  if (status === 403) return say(`${host} forbids it: HF_TOKEN must belong to an account that may`);
  if (code === "RevisionNotFound") return say("there is no such revision");
  if (status === 404) return say(`there is no such model or file at ${host}`);
  return say(`${host} answered ${status}`);
}
