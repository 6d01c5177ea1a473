package io.hypercalld.core.interrupt;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class InterruptLinesTest {
  private static final PciLine LINE = new PciLine(4, 0);
  private static final int GSI = LINE.gsi();
  private static final long LEVEL_41_TO_2 = 0x0200_0000_0000_8041L;

  private final LocalApics apics = new LocalApics(2, () -> 2, index -> 2 * index);
  private final VirtualIoApic ioApic = new VirtualIoApic(apics, new ExtendedDestinations(false));
  private final VirtualPic pic = new VirtualPic();
  private final InterruptLines lines = new InterruptLines(ioApic, pic);

  private LocalApic second() {
    return apics.find(1).orElseThrow();
  }

  @Test
  void gsi_everyDeviceAndLine_isXensFormula() {
    assertThat(new PciLine(0, 0).gsi()).isEqualTo(16);
    assertThat(new PciLine(3, 1).gsi()).isEqualTo(29);
    assertThat(new PciLine(31, 3).gsi()).isEqualTo(((31 * 4 + 3 + 3) & 31) + 16);
    assertThat(new PciLine(3, 2).link()).isEqualTo(1);
  }

  @Test
  void intx_levelPin_isSentOnceUntilEnded() {
    ioApic.write(GSI, LEVEL_41_TO_2);

    lines.setIntx(LINE, true);

    assertThat(second().irr()).containsExactly(0x41);
    assertThat(ioApic.entries().get(GSI).isInService()).isTrue();
    second().acknowledge();
    ioApic.end(second().endOfInterrupt().orElseThrow());
    assertThat(second().irr()).as("sent again, as it is asserted still").containsExactly(0x41);
  }

  @Test
  void intx_twoDevicesOnOnePin_holdItUntilBothFall() {
    PciLine sharing = new PciLine(11, 3);
    assertThat(sharing.gsi()).isEqualTo(GSI);
    lines.setIntx(LINE, true);
    lines.setIntx(sharing, true);

    lines.setIntx(LINE, false);

    assertThat(ioApic.isAsserted(GSI)).isTrue();
    lines.setIntx(sharing, false);
    assertThat(ioApic.isAsserted(GSI)).isFalse();
  }

  @Test
  void intx_routedLink_raisesTheIsaLineToo() {
    pic.setMasked(0);
    lines.setLinkRoute(new LinkRoute(LINE.link(), 5));

    lines.setIntx(LINE, true);

    assertThat(pic.requested()).isEqualTo(1 << 5);
    assertThat(pic.isAsking()).isTrue();
    assertThat(ioApic.isAsserted(5)).isTrue();
  }

  @Test
  void linkRoute_whileAsserted_movesTheLine() {
    lines.setLinkRoute(new LinkRoute(LINE.link(), 5));
    lines.setIntx(LINE, true);

    lines.setLinkRoute(new LinkRoute(LINE.link(), 10));

    assertThat(pic.requested()).isEqualTo(1 << 10);
    assertThat(ioApic.isAsserted(5)).isFalse();
    assertThat(ioApic.isAsserted(10)).isTrue();
  }

  @Test
  void isa_timer_arrivesAtPin2() {
    lines.setIsa(0, true);

    assertThat(ioApic.isAsserted(2)).isTrue();
  }

  @Test
  void registers_selectAndWindow_reachEveryEntry() {
    ioApic.store(0x00, 0x10 + 2 * GSI);
    ioApic.store(0x10, 0x8041);
    ioApic.store(0x00, 0x11 + 2 * GSI);
    ioApic.store(0x10, 0x0200_0000);

    assertThat(ioApic.entries().get(GSI).value()).isEqualTo(LEVEL_41_TO_2);
    assertThat(ioApic.load(0x10)).isEqualTo(0x0200_0000);
    ioApic.store(0x00, 1);
    assertThat(ioApic.load(0x10) >>> 16).isEqualTo(47);
  }

  @Test
  void entry_unmaskedWhileAsserted_isSent() {
    ioApic.write(GSI, LEVEL_41_TO_2 | RedirectionEntry.MASK.mask());
    lines.setIntx(LINE, true);
    assertThat(second().irr()).isEmpty();

    ioApic.write(GSI, LEVEL_41_TO_2);

    assertThat(second().irr()).containsExactly(0x41);
  }
}
