/** What a schema found wrong, in words: of a bounded length, however much was wrong with what a stranger sent. */
import { $ZodError, prettifyError } from 'zod/v4/core';

const mostIssues = 4;
const longestText = 500;

export function describeIssues({ issues }: $ZodError): string {
  const text = prettifyError(new $ZodError(issues.slice(0, mostIssues)));
  return text.length <= longestText ? text : `${text.slice(0, longestText)}...`;
}
