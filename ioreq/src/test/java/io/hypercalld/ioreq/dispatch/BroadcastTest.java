package io.hypercalld.ioreq.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.domain.DomainId;
import io.hypercalld.core.guest.AccessOutcome.Verdict;
import io.hypercalld.ioreq.page.IoRequest;
import io.hypercalld.ioreq.page.RequestType;
import io.hypercalld.ioreq.server.BufferedMode;
import io.hypercalld.ioreq.server.IoServer;
import io.hypercalld.ioreq.server.RangeKind;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Requests to every server of a domain, whatever their ranges. */
final class BroadcastTest {
  private static final long MMIO = ModelledGuest.MMIO;

  private final ModelledGuest guest = new ModelledGuest();
  private final IoServer asked =
      guest.server(BufferedMode.OFF, RangeKind.MEMORY, MMIO, MMIO + 0xfff);
  private final IoServer other = guest.server(BufferedMode.ATOMIC, RangeKind.PORT, 0x3f8, 0x3ff);

  @AfterEach
  void close() {
    guest.close();
  }

  private List<PendingIo> pending(IoServer server) {
    return guest.io().pending(server.id());
  }

  private void answer(IoServer server, long data) {
    long number = pending(server).getFirst().number();
    guest.cpus().respond(guest.domain(), server.id(), number, new Word(data));
  }

  /** A guest frame goes by a hypercall of a domain's. */
  private void decrease(DomainId caller, long gfn) {
    guest.cpus().enterHypercall(caller);
    guest.host().decrease(guest.domain().id(), 0, gfn);
    guest.cpus().leaveHypercall();
  }

  @Test
  void memoryTakenByTheToolstack_everyServerIsToldAtTheEndOfTheNextAccess() {
    guest.domain().run().unpause();
    decrease(DomainId.DOM0, 5);
    assertThat(guest.io().pending()).isEmpty();

    guest.read(0, MMIO, 4);
    answer(asked, 7);

    for (IoServer server : List.of(asked, other)) {
      IoRequest told = pending(server).getFirst().request();
      assertThat(told.type()).isEqualTo(RequestType.INVALIDATE);
      assertThat(told.size()).isEqualTo(4);
      assertThat(told.count()).isZero();
      assertThat(told.data()).isEqualTo(-1);
      assertThat(told.flags().reads()).isFalse();
    }
    assertThat(guest.read(0, MMIO, 4).reason().orElse("")).contains("not for this");
    answer(other, 0);
    assertThat(guest.read(0, MMIO, 4).outcome()).isEqualTo(Verdict.PENDING);
    answer(asked, 0);
    assertThat(guest.read(0, MMIO, 4).data()).contains(new Word(7));
    assertThat(guest.io().pending()).isEmpty();
  }

  @Test
  void memoryTakenByTheToolstack_everyVcpuTellsForItself() {
    guest.domain().run().unpause();
    decrease(DomainId.DOM0, 5);
    guest.read(0, MMIO, 4);
    answer(asked, 7);
    answer(asked, 0);
    answer(other, 0);

    guest.read(1, MMIO, 4);
    answer(asked, 7);

    assertThat(pending(other)).hasSize(1);
    assertThat(pending(other).getFirst().vcpu()).isEqualTo(1);
  }

  @Test
  void memoryGivenUpByTheGuestItself_isToldAsTheHypercallEnds() {
    decrease(guest.domain().id(), 5);

    assertThat(pending(asked).getFirst().request().type()).isEqualTo(RequestType.INVALIDATE);
    assertThat(pending(asked).getFirst().vcpu()).isZero();
    assertThat(guest.read(1, 0x1000, 8).outcome()).isEqualTo(Verdict.DONE);
    assertThat(guest.read(0, 0x1000, 8).outcome()).isEqualTo(Verdict.PENDING);
  }

  @Test
  void memoryTakenWhileTheDomainIsBuilt_nobodyIsTold() {
    decrease(DomainId.DOM0, 5);
    guest.read(0, MMIO, 4);
    answer(asked, 7);

    assertThat(guest.io().pending()).isEmpty();
  }

  @Test
  void disabledServer_isNotTold_andOneThatCannotBeIsCounted() {
    guest.servers().setEnabled(other, false);
    asked.pages().slot(0).orElseThrow().setPort(99);
    decrease(guest.domain().id(), 5);

    assertThat(guest.io().pending()).isEmpty();
    assertThat(guest.io().counters().unsent()).isEqualTo(1);
  }
}
