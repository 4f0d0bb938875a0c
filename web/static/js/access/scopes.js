// What can be allowed, in words.

/** Every scope with what it allows. */
export const SCOPES = /** @type {[string, string][]} */ ([
  ['predict', 'Recordings classified, kept and looked at'],
  ['label', 'Saying what a prediction should have been'],
  ['models.read', 'Models, versions, files, what runs'],
  ['models.write', 'Models and versions brought, described, deleted; sources'],
  ['traffic', 'Promoting, rolling back, aliases'],
  ['audit.read', 'The log of every change'],
  ['admin', 'Everything, and keys, people and issuers'],
]);

/** Every role of a person with what it stands for. */
export const ROLES = /** @type {[string, string, string][]} */ ([
  ['viewer', 'Viewer', 'Classifies recordings and looks at models'],
  ['labeler', 'Labeler', 'As a viewer, and says what beats should have been'],
  ['data-scientist', 'Data scientist', 'As a labeler, and brings models'],
  ['operator', 'Operator', 'Decides which version answers, reads the log'],
  ['owner', 'Owner', 'Does everything'],
]);

/** A grant in words, such as `predict` for `heartbeat`. @param {string} grant */
export function inWords(grant) {
  const [scope, models] = grant.split(':');
  return { scope, models: models?.split(',') ?? null };
}
