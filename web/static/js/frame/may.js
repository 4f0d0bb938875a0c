// What who is here may do. It decides what is shown; the server decides what is allowed.

/** Whether a name is one that a pattern such as `lab-*` means. @param {string} pattern @param {string} name */
const fits = (pattern, name) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '.*')}$`).test(name);

/** The patterns of every grant that allows the scope; null stands for all models. @param {string[]} grants @param {string} scope */
const holding = (grants, scope) => grants
  .map((grant) => grant.split(':'))
  .filter(([held]) => held === scope || held === 'admin')
  .map(([, patterns]) => patterns?.split(',') ?? null);

/**
 * Whether these grants allow a scope for a model, or for at least one where none is named.
 * @param {string[]} grants @param {string} scope @param {string} [model]
 */
export const may = (grants, scope, model) =>
  holding(grants, scope).some((patterns) => !patterns || model === undefined || patterns.some((pattern) => fits(pattern, model)));

/** Whether they allow it for all models, and so for what belongs to none. @param {string[]} grants @param {string} scope */
export const mayAll = (grants, scope) => holding(grants, scope).some((patterns) => !patterns);

/** Somebody's name without what they came by, such as `user:`. @param {string} name */
export const called = (name) => name.replace(/^user:/, '');
