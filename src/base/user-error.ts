/**
 * A mistake of the person at the keyboard (flag, scenario, file): one line, lower case, that names
 * the thing and says what is allowed. The command line prints it without a stack trace and exits 2.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
}
