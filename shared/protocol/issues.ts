/** What a schema found wrong, in words: of a bounded length, however much was wrong with what a stranger sent. */
import * as z from 'zod';

const mostIssues = 4;
const longestText = 500;

export function describeIssues({ issues }: z.ZodError): string {
  const text = z.prettifyError(new z.ZodError(issues.slice(0, mostIssues)));
  return text.length <= longestText ? text : `${text.slice(0, longestText)}...`;
}
