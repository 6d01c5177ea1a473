package io.hypercalld.core.kernel;

import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;

/** What is told of a guest's kernel. */
public enum KernelNotice implements NoticeKind {
  /** It gave up. */
  PANIC,
  /** Bytes of a buffer are somebody else's. */
  CORRUPTION;

  @Override
  public String type() {
    return NoticeKind.spell("kernel", this);
  }

  /** Whose kernel, and what it said. */
  public record About(DomainId domid, String message) {}

  static void tell(Domain domain, KernelNotice kind, String words) {
    domain.notices().tell(kind, new About(domain.id(), words));
  }
}
