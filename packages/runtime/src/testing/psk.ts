/** TLS with a key that both sides know, so that tests of routing need no certificates. */
const key = Buffer.from('00112233445566778899aabbccddeeff', 'hex');

const version = { ciphers: 'PSK-AES128-GCM-SHA256', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;

export const pskServer = { ...version, pskCallback: () => key };

export const pskClient = {
  ...version,
  pskCallback: () => ({ psk: key, identity: 'test' }),
  // There is no certificate whose name could be compared.
  checkServerIdentity: () => undefined,
};
