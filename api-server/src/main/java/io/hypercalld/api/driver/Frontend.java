package io.hypercalld.api.driver;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.Domain;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.hypercall.AddToPhysmap;
import io.hypercalld.core.hypercall.DecreaseReservation;
import io.hypercalld.core.hypercall.DestroyDomain;
import io.hypercalld.core.hypercall.GuestFrames;
import io.hypercalld.core.hypercall.Hypercall;
import io.hypercalld.core.hypercall.Outcome;
import io.hypercalld.core.hypercall.PopulatePhysmap;
import io.hypercalld.core.memory.PageSize;
import io.hypercalld.core.p2m.Gfn;
import io.hypercalld.core.p2m.P2mType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The domain that a back end serves: it grants pages of its own, by writing entries of its grant
 * table. Confined to the machine thread.
 */
final class Frontend {
  /** Where it maps its grant table, and its first page of data. */
  private static final Gfn TABLE = new Gfn(1L << 28);

  private static final Gfn DATA = new Gfn(0x10);

  private static final int GRANT_TABLE_SPACE = 1;
  private static final int FIRST_REF = 8;
  private static final int ENTRY_BYTES = 8;
  private static final short PERMIT_ACCESS = 1;
  private static final short ACCEPT_TRANSFER = 2;

  private final DriverRun run;
  private final Domain domain;
  private final int pages;

  private Frontend(DriverRun run, Domain domain, int pages) {
    this.run = run;
    this.domain = domain;
    this.pages = pages;
  }

  /**
   * The one that the script names.
   *
   * @throws io.hypercalld.core.errno.Refusal ESRCH there is none
   */
  static Frontend of(DriverRun run) {
    DomainId id =
        run.script()
            .frontend()
            .orElseThrow(() -> run.failed("xenbus", "nobody is there to be served"));
    Domain domain = run.host().hypervisor().domains().byId(id);
    Frontend frontend = new Frontend(run, domain, run.script().pages());
    if (domain.p2m().lookup(TABLE).type() == P2mType.MMIO_DM) {
      frontend.call(
          new AddToPhysmap(DomainId.SELF, 0, GRANT_TABLE_SPACE, new Word(0), TABLE),
          "gnttab_setup");
    }
    return frontend;
  }

  Domain domain() {
    return domain;
  }

  /** Its pages of data. */
  List<Gfn> data() {
    List<Gfn> all = new ArrayList<>();
    for (int i = 0; i < pages; i++) {
      all.add(DATA.plus(i));
    }
    return all;
  }

  /** The number of the grant of a page. */
  int ref(int page) {
    return FIRST_REF + page;
  }

  /** Lets the back end use its pages. */
  void grant() {
    enter(PERMIT_ACCESS);
    run.did("gnttab_grant_foreign_access", "%d pages of %s", pages, domain.id());
  }

  /** Awaits pages of the back end's where it had some of its own, which it gives away first. */
  void awaitTransfers() {
    call(
        new DecreaseReservation(DomainId.SELF, frames(), Optional.empty(), 0, new Word(0)),
        "decrease_reservation");
    enter(ACCEPT_TRANSFER);
    run.did("gnttab_grant_foreign_transfer", "%d pages of %s", pages, domain.id());
  }

  /** Gets pages where none has come. */
  void refill() {
    List<Gfn> empty =
        data().stream()
            .filter(page -> !P2mType.RAM.contains(domain.p2m().lookup(page).type()))
            .toList();
    if (!empty.isEmpty()) {
      call(
          new PopulatePhysmap(
              DomainId.SELF, new GuestFrames.Listed(empty), Optional.empty(), 0, new Word(0)),
          "populate_physmap");
    }
  }

  /** Grants nothing any more, whether somebody uses it or not. */
  void end() {
    if (!domain.isDying()) {
      enter((short) 0);
    }
  }

  /** Does what the script wants it to do while its request is under way. */
  void meanwhile() {
    switch (run.script().meanwhile()) {
      case NOTHING -> {}
      case FRONTEND_DIES -> {
        run.host().call(DomainId.DOM0, new DestroyDomain(domain.id()));
        run.did("destroydomain", "%s, its request under way", domain.id());
      }
      case GRANT_REVOKED -> {
        end();
        giveAway();
        run.did("gnttab_end_foreign_access", "%s, its request under way", domain.id());
      }
      case BALLOON -> {
        giveAway();
        run.did("decrease_reservation", "%d pages of %s under input", pages, domain.id());
      }
    }
  }

  private void giveAway() {
    call(
        new DecreaseReservation(DomainId.SELF, frames(), Optional.empty(), 0, new Word(0)),
        "decrease_reservation");
  }

  private GuestFrames frames() {
    return GuestFrames.consecutive(DATA, pages);
  }

  private void enter(short flags) {
    ByteBuffer entries = ByteBuffer.allocate(pages * ENTRY_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < pages; i++) {
      entries.putShort(flags).putShort((short) run.domain().id().value());
      entries.putInt((int) DATA.plus(i).value());
    }
    long table = TABLE.value() << PageSize.SHIFT_4K;
    run.host()
        .hypervisor()
        .guestMemory()
        .write(domain, table + (long) FIRST_REF * ENTRY_BYTES, entries.array());
  }

  private void call(Hypercall arguments, String primitive) {
    if (run.host().call(domain.id(), arguments) instanceof Outcome.Refused refused) {
      throw run.failed(primitive, "%s: %s", refused.errno(), refused.detail());
    }
  }
}
