/** The notice in force: a new version when its text changes, and consent to an older one counts no more. */
export const notice = { version: 'demo-2', url: '/privacy' } as const;
/** The day it was last changed. */
export const noticeDate = '2026-11-28';
