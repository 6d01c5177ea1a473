package io.hypercalld.core.state;

import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome;
import io.hypercalld.core.guest.GuestRequest;

/** Servers that claim writes to some of their guests' pages, and how those come to them. */
public interface Servers {
  /** A server of the guest's claims pages of type {@code ioreq_server} from now on. */
  void claim(DomainId guest);

  /** It gives that up: such pages are plain memory again. */
  void release(DomainId guest);

  /** It is destroyed with the claim, and such pages stay what they are. */
  void destroy(DomainId guest);

  /** Nobody may claim such pages while one that was destroyed has left some. */
  void refuseClaim(DomainId guest);

  /** A vCPU of the guest's reads or writes. */
  AccessOutcome access(DomainId guest, GuestRequest request);

  /** A write to such a page came to something: that is checked, and the write is completed. */
  void complete(DomainId guest, GuestRequest write, AccessOutcome outcome);
}
