export { decryptText, encryptText } from './encryption.ts';
export { fingerprint, maskPrivateKeys, openPrivateKeys, sealPrivateKeys } from './private-keys.ts';
