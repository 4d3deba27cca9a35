/** Something the person at the keyboard can mend. Its message is one sentence that says what to do; no stack is shown. */
export class Problem extends Error {}

/** What the operating system's error codes mean for the files that the scripts write. */
const writeFailures = {
  EACCES: 'permission is denied: make the folder writable for this user',
  EPERM: 'the operation is not permitted: make the folder writable for this user',
  EROFS: 'the file system is read-only: clone into a writable folder',
  ENOSPC: 'the disk is full: free some space',
};

/** Runs `main` and sets the exit status to 1 when it fails, after saying why. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    process.exitCode = 1;
    const failure = writeFailures[error?.code];
    if (error instanceof Problem) console.error(error.message);
    else if (failure !== undefined)
      console.error(`Cannot write ${error.path ?? 'to this folder'}: ${failure}.`);
    else console.error(error);
  }
}
