export { decryptText, encryptText } from './encryption.ts';
export { openPrivateKeys, sealPrivateKeys } from './private-keys.ts';
