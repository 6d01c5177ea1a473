package io.hypercalld.core.notice;

/**
 * Something that happened. Immutable.
 *
 * @param about the particulars, by the names that watchers see
 */
public record Notice(NoticeKind kind, Record about) {}
