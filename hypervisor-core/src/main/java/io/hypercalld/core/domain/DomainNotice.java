package io.hypercalld.core.domain;

import io.hypercalld.core.notice.NoticeKind;

/** What happens to domains. */
public enum DomainNotice implements NoticeKind {
  CREATED,
  PAUSED,
  UNPAUSED,
  DYING,
  DESTROYED;

  /** The domain, and its name where it has one. */
  public record About(DomainId domid, String name) {}

  @Override
  public String type() {
    return NoticeKind.spell("domain", this);
  }
}
