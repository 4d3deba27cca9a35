import { envSource } from './env-source.ts';
import type { SecretSourceKind } from './secret-source.ts';
import { vaultSource } from './vault-source.ts';

/** Every sort of source there is. */
export const secretSourceKinds: readonly SecretSourceKind[] = [envSource, vaultSource];
