-- Here and not in the schema, whose modules would import each other in a circle.
alter table decisions add constraint decisions_run_id_runs_id_fk foreign key (run_id) references runs (id);
--> statement-breakpoint
-- A final state absorbs everything.
create function refuse_reopening() returns trigger language plpgsql as $$
begin
  raise exception '% %: what is over stays as it ended', tg_table_name, old.id
    using errcode = 'check_violation', constraint = tg_name;
end $$;
--> statement-breakpoint
create trigger runs_final_stays before update on runs
  for each row when (old.finished_at is not null
    and (new.state, new.class, new.finished_at) is distinct from (old.state, old.class, old.finished_at))
  execute function refuse_reopening();
--> statement-breakpoint
create trigger attempts_final_stays before update on attempts
  for each row when (old.finished_at is not null
    and (new.state, new.class, new.finished_at) is distinct from (old.state, old.class, old.finished_at))
  execute function refuse_reopening();
--> statement-breakpoint
-- The other two ways to a forgotten run: work that is added to one that is over, and a verdict that is taken back.
-- The run is locked first, so that its last save and this one see each other. One look for all rows of a statement.
create function refuse_late_attempt() returns trigger language plpgsql as $$
begin
  perform from runs where id in (select run_id from added where finished_at is null) order by id for no key update;
  if exists (select from added join runs on runs.id = added.run_id
      where added.finished_at is null and runs.finished_at is not null) then
    raise exception 'an attempt of a run that is over would never run'
      using errcode = 'check_violation', constraint = tg_name;
  end if;
  return null;
end $$;
--> statement-breakpoint
create trigger attempts_in_time after insert on attempts
  referencing new table as added for each statement execute function refuse_late_attempt();
--> statement-breakpoint
create function refuse_lost_verdict() returns trigger language plpgsql as $$
begin
  perform from runs where id = old.run_id for no key update;
  if exists (select from runs where id = old.run_id and due_at is null) then
    raise exception 'the verdict of run % stays told', old.run_id
      using errcode = 'check_violation', constraint = tg_name;
  end if;
  return case when tg_op = 'DELETE' then old else new end;
end $$;
--> statement-breakpoint
create trigger checks_verdict_stays before update on checks
  for each row when (old.run_id is not null and (new.run_id is distinct from old.run_id
    or new.says ->> 'status' is distinct from 'completed' or new.says ->> 'conclusion' is null))
  execute function refuse_lost_verdict();
--> statement-breakpoint
create trigger checks_verdict_kept before delete on checks
  for each row when (old.run_id is not null) execute function refuse_lost_verdict();
--> statement-breakpoint
create or replace function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append only', tg_table_name using errcode = 'restrict_violation', constraint = tg_name;
end $$;
--> statement-breakpoint
create trigger decisions_not_emptied before truncate on decisions for each statement execute function refuse_change();
--> statement-breakpoint
create trigger transitions_not_emptied before truncate on transitions
  for each statement execute function refuse_change();
