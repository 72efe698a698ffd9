/** The long notice, and its versions. */
import type { JSX } from 'preact';
import { PageTitle } from './elements.tsx';
import { words } from './language.ts';
import { notice } from './notice.ts';

export function PrivacyPage(): JSX.Element {
  const { privacy } = words.value;
  return (
    <article>
      <PageTitle>{privacy.title}</PageTitle>
      <p>{privacy.version(notice.version)}</p>
      {privacy.sections.map(([heading, paragraphs]) => (
        <section key={heading}>
          <h2>{heading}</h2>
          {paragraphs.map((paragraph) => <p key={paragraph}>{paragraph}</p>)}
        </section>
      ))}
      <h2>{privacy.versions}</h2>
      <dl>{privacy.changes.map(([version, change]) => <div key={version}><dt>{version}</dt><dd>{change}</dd></div>)}</dl>
    </article>
  );
}
