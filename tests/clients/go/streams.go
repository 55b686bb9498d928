package main

import (
	"context"
	"time"

	"github.com/s2-streamstore/s2-sdk-go/s2"
)

var streamCalls = map[string]call{
	"list_basins": listBasins,
	"create_basin": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		info, err := client.Basins.Create(ctx, s2.CreateBasinArgs{
			Basin:  s2.BasinName(given.Basin),
			Config: &s2.BasinConfig{CreateStreamOnAppend: &given.CreateOnAppend},
		})
		if err != nil {
			return nil, err
		}
		return info.Name, nil
	},
	"delete_basin": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return nil, client.Basins.Delete(ctx, s2.BasinName(given.Basin))
	},
	"basin_config": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		config, err := client.Basins.GetConfig(ctx, s2.BasinName(given.Basin))
		if err != nil {
			return nil, err
		}
		return config.CreateStreamOnAppend, nil
	},
	"list_streams": listStreams,
	"create_stream": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		info, err := client.Basin(given.Basin).Streams.Create(ctx,
			s2.CreateStreamArgs{Stream: given.Stream})
		if err != nil {
			return nil, err
		}
		return info.Name, nil
	},
	"delete_stream": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return nil, client.Basin(given.Basin).Streams.Delete(ctx, given.Stream)
	},
	"stream_config": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		_, err := client.Basin(given.Basin).Streams.GetConfig(ctx, given.Stream)
		return nil, err
	},
	"check_tail": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		tail, err := stream(client, given).CheckTail(ctx)
		if err != nil {
			return nil, err
		}
		return tail.Tail.SeqNum, nil
	},
	"append": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return appendTo(ctx, client, given, batch(given.Bodies))
	},
	"fence": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return appendTo(ctx, client, given, &s2.AppendInput{
			Records: []s2.AppendRecord{s2.NewFenceCommandRecord(given.FencingToken, nil)},
		})
	},
	"trim": func(ctx context.Context, client *s2.Client, given given) (any, error) {
		return appendTo(ctx, client, given, &s2.AppendInput{
			Records: []s2.AppendRecord{s2.NewTrimCommandRecord(given.First, nil)},
		})
	},
	"read":           read,
	"append_session": appendSession,
	"read_session":   readSession,
}

func stream(client *s2.Client, given given) *s2.StreamClient {
	return client.Basin(given.Basin).Stream(given.Stream)
}

func batch(bodies []string) *s2.AppendInput {
	input := &s2.AppendInput{}
	for _, body := range bodies {
		input.Records = append(input.Records, s2.AppendRecord{Body: []byte(body)})
	}
	return input
}

func rangeOf(ack *s2.AppendAck) [2]uint64 {
	return [2]uint64{ack.Start.SeqNum, ack.End.SeqNum}
}

func listBasins(ctx context.Context, client *s2.Client, given given) (any, error) {
	names := []s2.BasinName{}
	all := client.Basins.Iter(ctx, &s2.ListBasinsArgs{Prefix: given.Prefix})
	for all.Next() {
		names = append(names, all.Value().Name)
	}
	return names, all.Err()
}

func listStreams(ctx context.Context, client *s2.Client, given given) (any, error) {
	page, err := client.Basin(given.Basin).Streams.List(ctx, &s2.ListStreamsArgs{
		Prefix: given.Prefix, StartAfter: given.StartAfter, Limit: given.Limit,
	})
	if err != nil {
		return nil, err
	}
	names := []s2.StreamName{}
	for _, info := range page.Streams {
		names = append(names, info.Name)
	}
	return map[string]any{"streams": names, "has_more": page.HasMore}, nil
}

func appendTo(ctx context.Context, client *s2.Client, given given, input *s2.AppendInput) (any, error) {
	ack, err := stream(client, given).Append(ctx, input)
	if err != nil {
		return nil, err
	}
	return rangeOf(ack), nil
}

func read(ctx context.Context, client *s2.Client, given given) (any, error) {
	read, err := stream(client, given).Read(ctx, &s2.ReadOptions{
		SeqNum: &given.First, Count: &given.Count,
	})
	if err != nil {
		return nil, err
	}
	bodies := []string{}
	for _, record := range read.Records {
		bodies = append(bodies, string(record.Body))
	}
	return bodies, nil
}

func submit(ctx context.Context, session *s2.AppendSession, bodies []string) (*s2.AppendAck, error) {
	future, err := session.Submit(batch(bodies))
	if err != nil {
		return nil, err
	}
	ticket, err := future.Wait(ctx)
	if err != nil {
		return nil, err
	}
	return ticket.Ack(ctx)
}

func appendSession(ctx context.Context, client *s2.Client, given given) (any, error) {
	session, err := stream(client, given).AppendSession(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer session.Close()
	acks := [][2]uint64{}
	for number, bodies := range given.Batches {
		if number > 0 {
			time.Sleep(time.Duration(given.Pause * float64(time.Second)))
		}
		ack, err := submit(ctx, session, bodies)
		if err != nil {
			return nil, err
		}
		acks = append(acks, rangeOf(ack))
	}
	return acks, nil
}

func readSession(ctx context.Context, client *s2.Client, given given) (any, error) {
	session, err := stream(client, given).ReadSession(ctx, &s2.ReadOptions{SeqNum: &given.First})
	if err != nil {
		return nil, err
	}
	defer session.Close()
	bodies := []string{}
	for uint64(len(bodies)) < given.Count && session.Next() {
		bodies = append(bodies, string(session.Record().Body))
	}
	return bodies, session.Err()
}
