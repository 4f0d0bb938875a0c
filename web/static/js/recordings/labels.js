// What readers say about beats. The model's answer stays what it was; a label lies over it and can be taken back.

import { useEffect, useMemo, useRef, useState } from '../view.js';
import { Refusal, session } from '../api.js';
import * as api from './api.js';

export const CLASSES = ['N', 'S', 'V', 'F', 'Q'];
/** Seconds before a label that did not reach the server is sent again. */
const PATIENCE_S = 3;

/**
 * @typedef {{is: string, class?: string | null}} Word what a reader says of a beat
 * @typedef {{at: number, before: Word | null, after: Word}} Change of the beat at a sample
 * @typedef {{beats: api.Beat[], given: number, say: ((samples: number[], name: string) => void) | null, undo: (() => void) | null, last: string | null, waiting: number, refused: string | null}} Labels
 *   `beats` with what holds now; `given` is how many differ from the answer; `say` and `undo` are null where nothing can be said or undone
 */

/** A beat as a word has it. @param {api.Beat} beat @param {Word | null | undefined} word @returns {api.Beat} */
export function heard(beat, word) {
  if (word?.is !== 'class' || !word.class || word.class === beat.class) return beat;
  return { ...beat, class: word.class, said: beat.class, relabelled: true };
}

/** @param {Change[]} changes @returns {string} */
function described(changes) {
  const name = changes[0].after.class;
  return changes.length === 1 ? `Relabelled as ${name}` : `${changes.length} beats relabelled as ${name}`;
}

/** @param {api.RecordingDocument} document @returns {Labels} */
export function useLabels(document) {
  const prediction = document.prediction ?? null;
  const [words, setWords] = useState(/** @type {Map<number, Word>} */ (new Map()));
  const [history, setHistory] = useState(/** @type {Change[][]} */ ([]));
  const [waiting, setWaiting] = useState(0);
  const [refused, setRefused] = useState(/** @type {string | null} */ (null));
  const [last, setLast] = useState(/** @type {string | null} */ (null));
  /** What this reader said before, which an undo returns to. */
  const mine = useRef(/** @type {Map<number, Word>} */ (new Map()));
  /** One after the other, so that the last word is the last to arrive. */
  const queue = useRef(Promise.resolve());
  useEffect(() => {
    if (!prediction) return;
    Promise.all([api.labels(prediction), session()]).then(([found, who]) => {
      setWords(new Map(found.beats.flatMap((one) => (one.truth ? [[one.at, one.truth]] : []))));
      const name = who.signed_in ? who.name : '';
      mine.current = new Map(found.beats.flatMap((one) => (one.readers[name] ? [[one.at, one.readers[name]]] : [])));
    }, (cause) => setRefused(cause instanceof Refusal ? cause.problem.detail : String(cause)));
  }, [prediction]);

  const show = (/** @type {Map<number, Word | null>} */ next) => setWords((/** @type {Map<number, Word>} */ was) => {
    const words = new Map(was);
    for (const [at, word] of next) if (word) words.set(at, word); else words.delete(at);
    return words;
  });
  /** @param {Map<number, Word>} marks @param {() => void} back what is to be done where the server refuses */
  const send = (marks, back) => {
    const key = `page-${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const body = { source: 'page', marks: [...marks].map(([at, word]) => ({ at, ...word })) };
    setWaiting((/** @type {number} */ count) => count + 1);
    setRefused(null);
    const attempt = async () => {
      for (;;) {
        try {
          await api.label(String(prediction), body, key);
          setRefused(null);
          return;
        } catch (cause) {
          const lost = cause instanceof Refusal && cause.problem.status === 0;
          setRefused(cause instanceof Refusal ? cause.problem.detail : String(cause));
          if (!lost) {
            back();
            return;
          }
          // Nothing that was said is lost with the connection.
          await new Promise((resume) => setTimeout(resume, 1000 * PATIENCE_S));
        }
      }
    };
    queue.current = queue.current.then(attempt).finally(() => setWaiting((/** @type {number} */ count) => count - 1));
  };
  const remember = (/** @type {[number, Word | null][]} */ said) => {
    for (const [at, word] of said) if (word) mine.current.set(at, word); else mine.current.delete(at);
  };
  const say = (/** @type {number[]} */ samples, /** @type {string} */ name) => {
    const after = { is: 'class', class: name };
    const changes = samples.map((at) => ({ at, before: mine.current.get(at) ?? null, after }));
    if (!changes.length) return;
    const marks = new Map(samples.map((at) => [at, after]));
    const shown = new Map(samples.map((at) => [at, words.get(at) ?? null]));
    send(marks, () => {
      show(shown);
      remember(changes.map(({ at, before }) => [at, before]));
      setHistory((/** @type {Change[][]} */ was) => was.filter((one) => one !== changes));
    });
    remember(changes.map(({ at }) => [at, after]));
    show(marks);
    setHistory([...history, changes]);
    setLast(described(changes));
  };
  const undo = () => {
    const changes = history[history.length - 1];
    send(new Map(changes.map(({ at, before }) => [at, before ?? { is: 'withdrawn' }])), () => {
      show(new Map(changes.map(({ at, after }) => [at, after])));
      remember(changes.map(({ at, after }) => [at, after]));
      setHistory((/** @type {Change[][]} */ was) => [...was, changes]);
    });
    remember(changes.map(({ at, before }) => [at, before]));
    show(new Map(changes.map(({ at, before }) => [at, before])));
    setHistory(history.slice(0, -1));
    setLast('Undone');
  };
  const beats = useMemo(() => document.beats.map((beat) => heard(beat, words.get(beat.sample))), [document, words]);
  const given = useMemo(() => beats.filter((beat) => beat.relabelled).length, [beats]);
  return { beats, given, say: prediction ? say : null, undo: history.length ? undo : null, last, waiting, refused };
}
