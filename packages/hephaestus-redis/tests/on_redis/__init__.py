"""RedisStorage on real servers."""
