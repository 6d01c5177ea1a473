package io.hypercalld.api.experiment;

import static org.assertj.core.api.Assertions.assertThat;

import io.hypercalld.core.bits.Word;
import io.hypercalld.core.dma.TlbInsertRace.Purge;
import io.hypercalld.iommu.driver.Profile;
import java.util.List;
import org.junit.jupiter.api.Test;

class FindingsTest {
  @Test
  void raceWithoutAStaleOrder_isOneLine() {
    Findings found = new TlbInsertQuestion(true, Purge.AFTER_SWAP).answer();

    assertThat(found.toText().lines())
        .containsExactly(
            "orders  stale afterwards  M2P inverse", "241                    0       always");
  }

  @Test
  void raceWithStaleOrders_namesTheFirst() {
    Findings found = new TlbInsertQuestion(false, Purge.AFTER_SWAP).answer();

    assertThat(found.toText().lines())
        .hasSize(3)
        .last()
        .asString()
        .matches("stale after: .*read-entry, .*swap-entry.*insert.*");
  }

  @Test
  void tableOfAllRam_saysWhereItIsStuck() {
    var ram = List.of(new HardwareDomainQuestion.Range(new Word(0), new Word(0xfff_ffff)));
    var xen = List.of(new HardwareDomainQuestion.Range(new Word(0x400_0000), new Word(0x4ff_ffff)));

    assertThat(new HardwareDomainQuestion(Profile.AS_SHIPPED, ram, xen).answer().toText().lines())
        .containsExactly("outcome  frames mapped   stuck at", "stuck           16,384  0x4000000");
    assertThat(new HardwareDomainQuestion(Profile.FIXED, ram, xen).answer().toText().lines())
        .containsExactly("outcome  frames mapped  stuck at", "built           61,440         -");
  }
}
