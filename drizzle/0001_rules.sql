-- What is kept to answer "why" is never rewritten.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append only', tg_table_name using errcode = 'restrict_violation';
end $$;
--> statement-breakpoint
create trigger decisions_append_only before update or delete on decisions
  for each row execute function refuse_change();
--> statement-breakpoint
create trigger transitions_append_only before update or delete on transitions
  for each row execute function refuse_change();
--> statement-breakpoint
-- A run may cease to be due only when it is final (a check of its own), nothing of it runs, and its commit is
-- told the verdict. Deferred, because a step saves attempts, run and check one after the other.
create function refuse_forgotten_run() returns trigger language plpgsql as $$
begin
  if exists (select from attempts where run_id = new.id and finished_at is null) then
    raise exception 'run % has unfinished attempts', new.id
      using errcode = 'check_violation', constraint = 'runs_nothing_unfinished';
  end if;
  if not exists (select from checks where run_id = new.id and says ->> 'status' = 'completed'
      and says ->> 'conclusion' is not null) then
    raise exception 'the check of run % has no verdict', new.id
      using errcode = 'check_violation', constraint = 'runs_verdict_told';
  end if;
  return null;
end $$;
--> statement-breakpoint
create constraint trigger runs_not_forgotten after insert or update on runs
  deferrable initially deferred for each row when (new.due_at is null)
  execute function refuse_forgotten_run();
