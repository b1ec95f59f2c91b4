export declare const MINIMUM_VERSION: string;

/**
 * Absolute path of a nats-server that is new enough, fetched into `<root>/.orchestrate/bin` when there is none.
 * Throws one error that names all the ways tried and how to install it by hand.
 */
export declare function ensureNatsServer(options: {
  root: string;
  log?: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}): Promise<string>;

/** The same, but only looks (environment, PATH, cache) and answers null when there is none. */
export declare function findNatsServer(root: string, env?: NodeJS.ProcessEnv): string | null;

/** The first URI of a Debian archive in the text of apt sources, or null. */
export declare function debianMirror(sources: string): string | null;

/** The version of a binary, such as `2.15.1`. Throws when it does not say. */
export declare function versionOfNatsServer(root: string, path: string): string;
