/** What the gateway says of itself before anybody has signed in. */

export type Mode = 'none' | 'basic' | 'token' | 'oidc';

export interface Issuer {
  issuer: string;
  clientId: string;
  scopes: string[];
}

export interface Config {
  login: Mode[];
  oidc: Issuer | null;
  /** Whether the user may send statements of their own; otherwise only named queries are offered. */
  cypher: boolean;
  version: string;
  /** The database that is selected first. */
  database: string;
}

/** `headers` say who asks. */
export async function fetchConfig(headers: Record<string, string> = {}): Promise<Config> {
  const answer = await fetch('/console/config.json', { headers, credentials: 'omit', cache: 'no-store' });
  if (!answer.ok) throw new Error(`The gateway answered ${answer.status} to /console/config.json.`);
  return (await answer.json()) as Config;
}
