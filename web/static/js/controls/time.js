// A moment: how long ago, and exactly when on top of it.

import { html } from '../view.js';
import { ago, moment } from '../format.js';

/** @param {{at: string, exact?: boolean}} properties */
export const Time = ({ at, exact = false }) => html`<time datetime=${at} title=${exact ? ago(at) : moment(at)}>${exact ? moment(at) : ago(at)}</time>`;
