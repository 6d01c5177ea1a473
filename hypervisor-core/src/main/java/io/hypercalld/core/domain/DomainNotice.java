package io.hypercalld.core.domain;

import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.core.notice.Notices;

/** What happens to domains. */
public enum DomainNotice implements NoticeKind {
  CREATED,
  PAUSED,
  UNPAUSED,
  DYING,
  DESTROYED;

  /** The domain, and its name where it has one. */
  public record About(DomainId domid, String name) {}

  /** A domain that may be given its name in the same breath. */
  record Of(Domain domain) implements Notices.Late {
    @Override
    public Record told() {
      return new About(domain.id(), domain.name());
    }
  }

  @Override
  public String type() {
    return NoticeKind.spell("domain", this);
  }
}
