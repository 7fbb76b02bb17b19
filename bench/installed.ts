/** What an installation of the package brings, from its lock file and from the disk. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The fields of a package-lock.json that are used here. */
export interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly devOptional?: boolean }>
  >;
}

/** Folders of the packages that are no development dependencies; the package itself is none. */
export function productionPackages({ packages }: LockFile): string[] {
  return Object.entries(packages)
    .filter(([path, { dev, devOptional }]) => path !== '' && !dev && !devOptional)
    .map(([path]) => path);
}

/**
 * Bytes of the files below `folder`, without packages that are installed inside; null where there
 * is no such folder, since the package is optional and not for this machine.
 */
export function folderBytes(folder: string): number | null {
  let total = 0;
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isFile()) total += statSync(path).size;
      else if (entry.isDirectory() && entry.name !== 'node_modules')
        total += folderBytes(path) ?? 0;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return null;
  }
  return total;
}
