package io.hypercalld.ioreq.server;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.notice.NoticeKind;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import java.util.Optional;

/** What happens to ioreq servers and to requests. */
public enum IoreqNotice implements NoticeKind {
  SERVER_CREATED,
  SERVER_ENABLED,
  SERVER_DESTROYED,
  SENT,
  COMPLETED,
  TIMEOUT,
  UNCLAIMED;

  /** A server of a domain. */
  public record Server(DomainId domid, int server) {}

  /**
   * A request.
   *
   * @param server empty where there is none for it
   * @param request its number; empty where nobody waits for it
   */
  public record Request(
      DomainId domid,
      int vcpu,
      Optional<Integer> server,
      Optional<Long> request,
      RequestType kind,
      boolean reads,
      Word address,
      int size,
      long count) {
    /** What a request is about. */
    public static Request of(
        DomainId domid, int vcpu, Optional<Integer> server, Optional<Long> number, IoRequest made) {
      return new Request(
          domid,
          vcpu,
          server,
          number,
          made.type(),
          made.flags().reads(),
          new Word(made.address()),
          made.size(),
          made.count());
    }
  }

  @Override
  public boolean isFrequent() {
    return this == SENT;
  }

  @Override
  public String type() {
    return NoticeKind.spell("ioreq", this);
  }
}
