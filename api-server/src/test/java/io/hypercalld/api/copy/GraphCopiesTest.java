package io.hypercalld.api.copy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.hypercalld.api.machine.Machine;
import io.hypercalld.api.platform.PlatformSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

class GraphCopiesTest {
  /** Something that changes, and that refers to itself. */
  private static final class Cell {
    private int value;
    private final Cell self = this;
    private final List<Cell> others = new ArrayList<>();

    Cell(int value) {
      this.value = value;
    }
  }

  private record Pair(String name, Optional<Cell> cell) {}

  private static <T> T copy(T original) {
    return new GraphCopies().of(original);
  }

  @Test
  void objects_areCopiedOnceEach_cyclesIncluded() {
    Cell cell = new Cell(7);
    cell.others.add(cell);
    cell.others.add(new Cell(8));

    Cell copy = copy(cell);

    assertThat(copy).isNotSameAs(cell);
    assertThat(copy.self).isSameAs(copy);
    assertThat(copy.others.getFirst()).isSameAs(copy);
    assertThat(copy.others.getLast().value).isEqualTo(8);
    assertThat(copy.others.getLast()).isNotSameAs(cell.others.getLast());
  }

  @Test
  void lambda_seesTheCopyOfWhatItCaptured() {
    Cell cell = new Cell(7);
    record Watched(Cell cell, Supplier<Integer> value) {}

    Watched copy = copy(new Watched(cell, () -> cell.value));
    copy.cell.value = 9;

    assertThat(copy.value.get()).isEqualTo(9);
    assertThat(cell.value).isEqualTo(7);
  }

  @Test
  void whatCannotChange_isShared() {
    Pair unchangeable = new Pair("a", Optional.empty());
    List<Pair> list = List.of(unchangeable);

    assertThat(copy(list)).isSameAs(list);
    assertThat(copy(new Pair("a", Optional.of(new Cell(1)))).cell.orElseThrow().value).isOne();
  }

  @Test
  void maps_findTheCopiesOfTheirKeys() {
    Map<Pair, Cell> map = new HashMap<>(Map.of(new Pair("a", Optional.empty()), new Cell(3)));

    Map<Pair, Cell> copy = copy(map);
    map.clear();

    assertThat(copy)
        .hasEntrySatisfying(
            new Pair("a", Optional.empty()), cell -> assertThat(cell.value).isEqualTo(3));
  }

  @Test
  void whatNobodyCanCopy_isSaidToBeWhereItIs() {
    record Locked(ReentrantLock lock) {}

    assertThatThrownBy(() -> copy(new Locked(new ReentrantLock())))
        .isInstanceOf(Uncopyable.class)
        .hasMessageContaining("ReentrantLock")
        .hasMessageContaining("Locked");
  }

  @Test
  void copyOfAMachine_isAlikeAndItsOwn() {
    try (Machine machine = new Machine(PlatformSource.named("two-socket").load().platform());
        Machine copy = copy(machine)) {
      String digest = machine.digest();
      assertThat(copy.digest()).isEqualTo(digest);

      copy.hypervisor().memory().writeWord(0x5000, 0x1234);

      assertThat(copy.digest()).isNotEqualTo(digest);
      assertThat(machine.digest()).isEqualTo(digest);
    }
  }
}
