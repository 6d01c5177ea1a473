package io.hypercalld.api.machine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;

final class MachineThreadTest {
  private static final int CAPACITY = 8;

  private static MachineThread<List<Integer>, Integer> thread() {
    return new MachineThread<>(new ArrayList<>(), List::size, CAPACITY);
  }

  @Test
  void tasks_ofOneCaller_areExecutedInOrder() throws Exception {
    try (var thread = thread()) {
      for (int i = 0; i < CAPACITY; i++) {
        int number = i;
        thread.submit(machine -> machine.add(number)).get();
      }

      assertThat(thread.submit(List::copyOf).get()).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
    }
  }

  @Test
  void view_afterAnAnswer_isAtLeastAsNewAsTheAnswer() throws Exception {
    try (var thread = thread()) {
      for (int i = 1; i <= 1000; i++) {
        thread.submit(machine -> machine.add(0)).get();

        assertThat(thread.view()).isGreaterThanOrEqualTo(i);
        assertThat(thread.inFlight()).isZero();
      }
    }
  }

  @Test
  void task_thatThrows_tellsItsCallerAndNobodyElse() throws Exception {
    try (var thread = thread()) {
      CompletableFuture<Object> failed =
          thread.submit(
              machine -> {
                throw new IllegalStateException("broken");
              });

      assertThatThrownBy(failed::get)
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseMessage("broken");
      assertThat(thread.submit(List::size).get()).isZero();
    }
  }

  @Test
  void view_thatCannotBeTaken_endsTheThreadAndLeavesNobodyWaiting() {
    try (var thread =
        new MachineThread<List<Integer>, Integer>(
            new ArrayList<>(), machine -> 1 / (1 - machine.size()), CAPACITY)) {
      CompletableFuture<Boolean> last = thread.submit(machine -> machine.add(0));

      assertThatThrownBy(last::get)
          .isInstanceOf(ExecutionException.class)
          .hasRootCauseInstanceOf(ArithmeticException.class);
      assertThatThrownBy(() -> thread.submit(List::size)).isInstanceOf(Overloaded.class);
    }
  }

  @Test
  void queue_full_turnsCallersAwayWithoutMakingThemWait() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    CountDownLatch entered = new CountDownLatch(1);
    try (var thread = thread()) {
      CompletableFuture<Boolean> slow =
          thread.submit(
              machine -> {
                entered.countDown();
                await(gate);
                return true;
              });
      entered.await();
      List<CompletableFuture<Integer>> waiting = new ArrayList<>();
      for (int i = 0; i < CAPACITY; i++) {
        waiting.add(thread.submit(List::size));
      }

      assertThatThrownBy(() -> thread.submit(List::size)).isInstanceOf(Overloaded.class);
      assertThat(thread.view()).isZero();

      gate.countDown();
      assertThat(slow.get()).isTrue();
      waiting.forEach(CompletableFuture::join);
      assertThat(thread.submit(List::size).get()).isZero();
    }
  }

  @Test
  void close_withTasksWaiting_executesThem() throws Exception {
    CountDownLatch gate = new CountDownLatch(1);
    var thread = thread();
    CompletableFuture<Boolean> slow =
        thread.submit(
            machine -> {
              await(gate);
              return true;
            });
    CompletableFuture<Boolean> waiting = thread.submit(machine -> machine.add(1));

    gate.countDown();
    thread.close();

    assertThat(slow.get()).isTrue();
    assertThat(waiting.get()).isTrue();
    assertThat(thread.isAlive()).isFalse();
    assertThatThrownBy(() -> thread.submit(List::size)).isInstanceOf(Overloaded.class);
  }

  private static void await(CountDownLatch gate) {
    try {
      gate.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
