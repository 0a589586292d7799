least(n.wake_at, date_bin('15 seconds', n.ends, 'epoch'))
