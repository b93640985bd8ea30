/** The editor: completion of tables and columns, Ctrl+Enter runs, an error is marked where it is. */
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { syntaxHighlighting } from '@codemirror/language';
import { lintGutter, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, Prec } from '@codemirror/state';
import { EditorView, keymap } from '@codemirror/view';
import { classHighlighter } from '@lezer/highlight';
import { basicSetup } from 'codemirror';
import { useEffect, useRef } from 'react';
import { styleNonce } from '../../nonce.ts';
import classes from './sql.module.css';

export interface Mark {
  /** Counted in characters from 1, as PostgreSQL counts. */
  readonly position: number;
  readonly message: string;
}

interface EditorProps {
  readonly value: string;
  /** Table → columns. */
  readonly schema: Readonly<Record<string, readonly string[]>>;
  readonly mark: Mark | null;
  readonly onChange: (text: string) => void;
  readonly onRun: () => void;
}

const language = new Compartment();

const languageOf = (schema: EditorProps['schema']) =>
  sql({
    dialect: PostgreSQL,
    schema: Object.fromEntries(Object.entries(schema).map(([table, columns]) => [table, [...columns]])),
  });

export function Editor({ value, schema, mark, onChange, onRun }: EditorProps) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const calls = useRef({ onChange, onRun });
  useEffect(() => {
    calls.current = { onChange, onRun };
  });
  const first = useRef({ value, schema });

  useEffect(() => {
    if (!place.current) return undefined;
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({
        doc: first.current.value,
        extensions: [
          EditorView.cspNonce.of(styleNonce()),
          Prec.highest(
            keymap.of([
              {
                key: 'Mod-Enter',
                run: () => {
                  calls.current.onRun();
                  return true;
                },
              },
            ]),
          ),
          // the library's own colours are made for a light ground alone
          syntaxHighlighting(classHighlighter),
          basicSetup,
          lintGutter(),
          language.of(languageOf(first.current.schema)),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL' }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) calls.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => {
      editor.destroy();
      view.current = null;
    };
  }, []);

  useEffect(() => {
    view.current?.dispatch({ effects: language.reconfigure(languageOf(schema)) });
  }, [schema]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === value) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: value } });
  }, [value]);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    if (!mark) {
      editor.dispatch(setDiagnostics(editor.state, []));
      return;
    }
    const text = editor.state.doc.toString();
    const from = Math.min(text.length, offsetOf(text, mark.position));
    const to = Math.min(text.length, from + Math.max(1, /^\w*/.exec(text.slice(from))?.[0].length ?? 1));
    editor.dispatch(setDiagnostics(editor.state, [{ from, to, severity: 'error', message: mark.message }]), {
      selection: { anchor: from },
      effects: EditorView.scrollIntoView(from, { y: 'center' }),
    });
    editor.focus();
  }, [mark]);

  return <div ref={place} className={classes['editor']} />;
}

/** PostgreSQL counts characters, a browser's text its halves. */
function offsetOf(text: string, position: number): number {
  return Array.from(text)
    .slice(0, position - 1)
    .join('').length;
}
